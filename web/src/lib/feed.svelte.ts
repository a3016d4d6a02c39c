import { SvelteMap } from 'svelte/reactivity';
import { api } from './api/calls';
import { messageOf } from './api/errors';
import type { Job, Progress } from './api/types';
import { isTerminal, matches } from './job';
import { DEFAULT_VIEW, filtersOf, type View } from './view';

/** The jobs on the page: keyset pages from the server, kept up to date by what comes in live. */
export class Feed {
  jobs = $state.raw<Job[]>([]); // newest first
  fresh = $state.raw<Job[]>([]); // came in while the reader was further down
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state('');
  more = $state(false);
  loadingMore = $state(false);
  readonly progress = new SvelteMap<string, Progress>();

  /** Whether new cards must wait in the pill instead of moving the page. */
  reading: () => boolean = () => false;

  #view: View = DEFAULT_VIEW;
  #me: string | null = null;
  #cursor: string | null = null;
  #running: AbortController | null = null;

  /** Show another selection. */
  async load(view: View, me: string | null): Promise<void> {
    [this.#view, this.#me] = [view, me];
    this.phase = this.jobs.length ? this.phase : 'loading';
    await this.refresh();
  }

  /** The first page anew; what was on the page stays until it is here. */
  async refresh(): Promise<void> {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    try {
      const page = await api.jobs(filtersOf(this.#view), null, running.signal);
      if (running.signal.aborted) return;
      this.jobs = page.data;
      this.fresh = [];
      this.#turn(page.pagination);
      for (const job of page.data) if (job.progress) this.progress.set(job.id, job.progress);
      this.phase = 'ready';
    } catch (error) {
      if (running.signal.aborted) return;
      this.problem = messageOf(error);
      this.phase = 'failed';
    }
  }

  /** The next page, once somebody comes near the end. */
  async next(): Promise<void> {
    const running = this.#running;
    if (!this.more || this.loadingMore || !running) return;
    this.loadingMore = true;
    try {
      const page = await api.jobs(filtersOf(this.#view), this.#cursor, running.signal);
      if (running.signal.aborted) return;
      const last = this.jobs.at(-1)?.id ?? '~';
      this.jobs = [...this.jobs, ...page.data.filter((job) => job.id < last)];
      this.#turn(page.pagination);
    } catch {
      // Scrolling on tries again.
    } finally {
      this.loadingMore = false;
    }
  }

  /** A job as it now is: from the live feed, or from an answer to this page's own request. */
  receive(job: Job): void {
    if (isTerminal(job)) this.progress.delete(job.id);
    else if (job.progress) this.progress.set(job.id, job.progress);
    const shown = this.find(job.id);
    if (shown && shown.version > job.version) return;
    if (!matches(job, this.#view, this.#me)) this.remove(job.id);
    else if (shown) this.#replace(job);
    else this.#add(job);
  }

  receiveProgress(id: string, progress: Progress): void {
    if (this.find(id)?.status === 'processing') this.progress.set(id, progress);
  }

  remove(id: string): void {
    this.jobs = this.jobs.filter((job) => job.id !== id);
    this.fresh = this.fresh.filter((job) => job.id !== id);
  }

  /** Put what waits in the pill on top. */
  showFresh(): void {
    this.jobs = sorted([...this.fresh, ...this.jobs]);
    this.fresh = [];
  }

  find(id: string): Job | undefined {
    return this.jobs.find((job) => job.id === id) ?? this.fresh.find((job) => job.id === id);
  }

  #replace(job: Job): void {
    const swap = (old: Job) => (old.id === job.id ? { ...old, ...job } : old);
    this.jobs = this.jobs.map(swap);
    this.fresh = this.fresh.map(swap);
  }

  #add(job: Job): void {
    const last = this.jobs.at(-1);
    if (this.more && last && job.id < last.id) return; // a later page brings it
    const own = job.user_id === this.#me && job.version <= 1;
    if (this.reading() && !own) this.fresh = sorted([job, ...this.fresh]);
    else this.jobs = sorted([job, ...this.jobs]);
  }

  #turn({ has_more, next_cursor }: { has_more: boolean; next_cursor: string | null }): void {
    this.more = has_more && next_cursor !== null;
    this.#cursor = next_cursor;
  }
}

// Job ids are UUIDv7: their order is the order of creation.
const sorted = (jobs: Job[]): Job[] => jobs.toSorted((a, b) => (a.id < b.id ? 1 : -1));
