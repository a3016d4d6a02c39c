import { follow, type LiveListener } from './live';

// Browsers open six connections to a server, however many tabs there are: tabs share one live feed. One leads
// and tells the others; when it closes, the next one leads.

interface Said {
  method: keyof LiveListener;
  args: unknown[];
}
const QUESTION = 'anybody?';
const PATIENCE_MS = 2000; // a leader that the system put to sleep doesn't answer

/** The live feed, shared with the other tabs of the same person where the browser can. */
export function followTogether(listener: LiveListener, person: string): void {
  if ('locks' in navigator && 'BroadcastChannel' in window)
    new Tab(listener, `rushes-live-${person}`);
  else follow(listener);
}

class Tab {
  #leading = false;
  #following = false; // by a connection of its own
  #connected = false;
  #timer = 0;
  readonly #channel: BroadcastChannel;

  constructor(
    readonly listener: LiveListener,
    name: string,
  ) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event: MessageEvent<Said | typeof QUESTION>) =>
      this.#hear(event.data);
    void navigator.locks.request(name, () => {
      this.#leading = true;
      this.#follow();
      return new Promise(() => undefined); // for as long as this tab lives
    });
    document.addEventListener('visibilitychange', () => this.#ask());
    this.#ask();
  }

  #ask(): void {
    if (this.#following || document.hidden) return;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#follow(), PATIENCE_MS);
    this.#channel.postMessage(QUESTION);
  }

  #hear(said: Said | typeof QUESTION): void {
    if (said === QUESTION) {
      if (this.#leading)
        this.#tell(this.#connected ? 'connected' : 'lost', this.#connected ? [false] : []);
    } else if (!this.#following) {
      clearTimeout(this.#timer);
      this.#pass(said.method, said.args);
    }
  }

  #follow(): void {
    if (this.#following) return;
    clearTimeout(this.#timer);
    this.#following = true;
    follow({
      job: (job) => this.#both('job', [job]),
      progress: (id, progress) => this.#both('progress', [id, progress]),
      removed: (id) => this.#both('removed', [id]),
      connected: (gap) => {
        this.#connected = true;
        this.#both('connected', [gap]);
      },
      lost: () => {
        this.#connected = false;
        this.#both('lost', []);
      },
    });
  }

  #both(method: keyof LiveListener, args: unknown[]): void {
    this.#pass(method, args);
    if (this.#leading) this.#tell(method, args);
  }

  #pass(method: keyof LiveListener, args: unknown[]): void {
    (this.listener[method] as (...args: unknown[]) => void)(...args);
  }

  #tell(method: keyof LiveListener, args: unknown[]): void {
    this.#channel.postMessage({ method, args } satisfies Said);
  }
}
