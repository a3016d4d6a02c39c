import { body, client } from '../../lib/api/calls';
import { session } from '../../lib/session.svelte';
import { atMostEvery } from './pace';
import type { Line } from './words';

const LOOK_MS = 2000;

/** How many jobs run and wait, looked at again whenever a job changes. */
class Queue {
  line = $state.raw<Line | null>(null);
  #pace = atMostEvery(LOOK_MS, () => void this.#look());
  #asked = 0;

  /** Look again soon. */
  look(): void {
    this.#pace.soon();
  }

  /** Keep up with the jobs; others' private ones aren't told of, so coming back is a reason to look as well. */
  follow(): () => void {
    const seen = () => document.hidden || this.look();
    const unwatch = session.watch(() => this.look());
    document.addEventListener('visibilitychange', seen);
    window.addEventListener('focus', seen);
    return () => {
      unwatch();
      document.removeEventListener('visibilitychange', seen);
      window.removeEventListener('focus', seen);
      this.#pace.stop();
    };
  }

  async #look(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const line = (await body(client.GET('/api/queue'))) as unknown as Line;
      if (asked === this.#asked) this.line = line;
    } catch {
      // What was last known stays; the connection's own banner says what is wrong.
    }
  }
}

export const queue = new Queue();
