import { messageOf } from '../../lib/api/errors';
import type { Progress } from '../../lib/api/types';
import { session } from '../../lib/session.svelte';
import { toasts } from '../../lib/toasts.svelte';
import { atMostEvery } from '../queue/pace';
import { queue } from '../queue/queue.svelte';
import { desk } from './calls';
import type { Pause, Server } from './types';

const LOOK_MS = 1500;
const HEALTH_MS = 10_000;

/** The servers and what is paused, kept up to date while somebody looks. */
export class Fleet {
  servers = $state.raw<Server[] | null>(null);
  pauses = $state.raw<Pause[]>([]);
  problem = $state('');
  #pace = atMostEvery(LOOK_MS, () => void this.#look());
  #asked = 0;

  /** Look again soon. */
  look(): void {
    this.#pace.soon();
  }

  follow(): () => void {
    const seen = () => document.hidden || this.look();
    const unwatch = session.watch(() => this.look());
    const unwatchProgress = session.watchProgress((id, progress) => this.#progress(id, progress));
    document.addEventListener('visibilitychange', seen);
    // A server that goes down or comes back is no job's event.
    const timer = setInterval(seen, HEALTH_MS);
    return () => {
      unwatch();
      unwatchProgress();
      document.removeEventListener('visibilitychange', seen);
      clearInterval(timer);
      this.#pace.stop();
    };
  }

  /** Do it, say how it went, and show what is so now. */
  async act(what: Promise<unknown>, done: string): Promise<boolean> {
    try {
      await what;
      if (done) toasts.say(done);
      return true;
    } catch (error) {
      toasts.fail(messageOf(error));
      return false;
    } finally {
      await this.#look();
      queue.look();
    }
  }

  async #look(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const [servers, pauses] = await Promise.all([desk.servers(), desk.pauses()]);
      if (asked !== this.#asked) return;
      [this.servers, this.pauses, this.problem] = [servers, pauses, ''];
    } catch (error) {
      if (asked === this.#asked) this.problem = messageOf(error);
    }
  }

  #progress(id: string, progress: Progress): void {
    const has = (server: Server) => server.jobs.some((job) => job.id === id);
    if (!this.servers?.some(has)) return;
    this.servers = this.servers.map((server) => ({
      ...server,
      jobs: server.jobs.map((job) => (job.id === id ? { ...job, progress } : job)),
    }));
  }
}
