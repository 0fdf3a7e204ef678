/** What a finished command left. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What goes on while a command runs. */
export interface Watch {
  /** Told of each line on the command's standard error, as it comes. */
  readonly line: (text: string) => void;
  /** Ends the command. */
  readonly signal: AbortSignal;
  /** The folder of docker's settings for the command, where it is not the usual one. */
  readonly config?: string | undefined;
}

/** Runs the docker command; a collaborator, so that the core starts no processes on its own. */
export interface Docker {
  /** Runs quietly and gives what was printed, whatever the exit code. */
  ask(args: readonly string[]): Promise<CommandResult>;
  /** Runs with its output shown as it comes, and gives the end of it. */
  show(args: readonly string[], watch: Watch): Promise<CommandResult>;
}
