import { formatPlatform, type Platform, PlatformError, parsePlatform } from '../image/platform.ts';
import { plain } from '../words.ts';
import { parseLines, parseList, parseSecrets, QuoteError } from './lists.ts';

/** Gives an input's text as it was written, white space included; empty when it is not set. */
export type GetInput = (name: string) => string;

const DURATION = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;
/** How long a job may run, in milliseconds: https://docs.github.com/en/actions/reference/limits */
const LONGEST_JOB = 5 * 24 * 3_600_000;

/** Inputs in whose values passwords and tokens may stand, be it by mistake. */
const HIDING: ReadonlySet<string> = new Set([
  ...['secrets', 'secret-envs', 'secret-files', 'ssh', 'build-args', 'labels', 'annotations', 'attests'],
  ...['context', 'build-contexts', 'cache-from', 'cache-to', 'registry-endpoint'],
]);

/** Reads inputs one by one and gathers what is wrong with them, so that all of it can be told at once. */
export class InputReader {
  readonly problems: string[] = [];
  readonly #get: GetInput;
  readonly #read = new Set<string>();

  constructor(get: GetInput) {
    this.#get = get;
  }

  text(name: string): string {
    return this.#take(name).trim();
  }

  /** What an input was given that nobody has read; empty when it was not given, or was read. */
  unread(name: string): string {
    return this.#read.has(name) ? '' : this.#get(name).trim();
  }

  /** Whether a list was given: what is no list, though it is there, has been refused when it was read. */
  isGiven(name: string): boolean {
    return /[^\s,]/.test(this.text(name));
  }

  /** Entries by comma or newline. */
  list(name: string): string[] {
    return this.#parsed(name, parseList);
  }

  /** Entries by newline. */
  lines(name: string): string[] {
    return this.#parsed(name, parseLines);
  }

  /** Entries by newline, white space kept. */
  secrets(name: string): string[] {
    return this.#parsed(name, parseSecrets);
  }

  /** YAML's booleans, as the toolkit reads them. */
  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name);
    if (text === '') return fallback;
    if (/^(true|True|TRUE)$/.test(text)) return true;
    if (/^(false|False|FALSE)$/.test(text)) return false;
    this.refuse(name, text, 'write true or false');
    return fallback;
  }

  oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === '') return fallback;
    const choice = choices.find((each) => each === text);
    if (!choice) this.refuse(name, text, `write one of ${choices.join(', ')}`);
    return choice ?? fallback;
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    if (!/^\d{1,9}$/.test(text)) this.refuse(name, text, 'write a whole number');
    return Number(text);
  }

  /** A time such as `90s`, `20m` or `1h30m`, in milliseconds; nothing when it is not set. */
  duration(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const [, hours = '0', minutes = '0', seconds = '0'] = DURATION.exec(text) ?? [];
    const milliseconds = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    if (milliseconds > 0 && milliseconds <= LONGEST_JOB) return milliseconds;
    this.refuse(
      name,
      text,
      'write a time with its unit, five days at the most, such as "90s", "20m" or "1h30m"',
    );
    return undefined;
  }

  /** Platforms by comma or newline. One that is named twice, however it is spelt, counts once, as for buildx. */
  platforms(name: string): Platform[] {
    const named = this.list(name).flatMap((text): [string, Platform][] => {
      try {
        const platform = parsePlatform(text);
        return [[formatPlatform(platform), platform]];
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error;
        this.problems.push(`input "${name}": ${error.message}`);
        return [];
      }
    });
    return [...new Map(named).values()];
  }

  /** Notes that an input's value cannot be used, and what to write instead. */
  refuse(name: string, value: string, advice: string): void {
    this.problems.push(`input "${name}": "${value}": ${advice}`);
  }

  /** Notes that an input cannot be used as a whole, and why. A value in which there may be secrets is not repeated. */
  refuseWhole(name: string, text: string, advice: string): void {
    if (HIDING.has(name)) this.problems.push(`input "${name}": ${advice}`);
    else this.refuse(name, plain(text, 60), advice);
  }

  #take(name: string): string {
    this.#read.add(name);
    return this.#get(name);
  }

  #parsed(name: string, parse: (text: string) => string[]): string[] {
    const text = this.#take(name);
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof QuoteError)) throw error;
      this.refuseWhole(name, text, error.message);
      return [];
    }
  }
}
