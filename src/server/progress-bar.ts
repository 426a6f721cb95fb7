/** Characters that the bar itself takes. */
const WIDTH = 25;

/** Where a bar is shown: standard error, or what stands for it. */
export interface BarStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** One line of a terminal that shows how far something is; anywhere else nothing. It never goes back within a stage. */
export class ProgressBar {
  readonly #stream: BarStream;
  readonly #isShown: boolean;
  #stage = '';
  #percent = -1;

  /** @param isWanted false: the line would stand between others on the same terminal */
  constructor(stream: BarStream, isWanted = true) {
    this.#stream = stream;
    this.#isShown = isWanted && stream.isTTY === true;
  }

  /** @param stage what is being done; one that is new begins anew. @param detail what is shown behind it */
  show(stage: string, done: number, total: number, detail: string): void {
    if (!this.#isShown) return;
    const percent = total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total));
    if (stage === this.#stage && percent <= this.#percent) return;
    this.#stage = stage;
    this.#percent = percent;
    const bar = '█'.repeat(Math.floor((percent * WIDTH) / 100)).padEnd(WIDTH, '░');
    this.#stream.write(`\r\x1b[K${bar} ${percent} % ${stage} ${detail}`);
  }

  clear(): void {
    if (this.#isShown && this.#stage !== '') this.#stream.write('\r\x1b[K');
    this.#stage = '';
  }
}
