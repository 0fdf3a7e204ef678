import * as core from '@actions/core';

/** What the action told the runner. */
export interface Told {
  /** The errors by which it failed. */
  readonly errors: readonly string[];
  readonly outputs: ReadonlyMap<string, string>;
  /** The lines of its log. */
  readonly lines: readonly string[];
  readonly masked: readonly string[];
}

/**
 * The runner's toolkit, which keeps what it is told.
 * @param inputs by their names; those that are not there are empty
 */
export function keepingToolkit(
  inputs: ReadonlyMap<string, string>,
  onMask: (secret: string) => void = () => undefined,
): { readonly toolkit: typeof core; readonly told: Told } {
  const errors: string[] = [];
  const lines: string[] = [];
  const masked: string[] = [];
  const outputs = new Map<string, string>();
  const say = (line: string | Error) => void lines.push(String(line));
  // The toolkit's own one remembers the file of the step before.
  const summary: typeof core.summary = Object.create(core.summary);
  const toolkit: typeof core = {
    ...core,
    getInput: (name) => inputs.get(name) ?? '',
    setOutput: (name, value) => void outputs.set(name, String(value)),
    setSecret(secret) {
      masked.push(secret);
      onMask(secret);
    },
    setFailed: (message) => void errors.push(String(message)),
    info: say,
    debug: say,
    notice: say,
    warning: say,
    error: say,
    group(title, step) {
      say(title);
      return step();
    },
    summary,
  };
  return { toolkit, told: { errors, outputs, lines, masked } };
}
