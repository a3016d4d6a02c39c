import { SvelteMap } from 'svelte/reactivity';
import { api } from './api/calls';
import { messageOf } from './api/errors';
import type { Job, Page, Progress } from './api/types';
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
  #meanwhile: Job[] | null = null; // came in live while a page was on its way

  /** Show another selection. */
  async load(view: View, me: string | null): Promise<void> {
    [this.#view, this.#me] = [view, me];
    this.phase = this.jobs.length ? this.phase : 'loading';
    await this.#reload((page) => this.#show(page));
  }

  /** Look for what was missed, without moving anybody who reads. */
  async catchUp(): Promise<void> {
    await this.#reload((page) => this.#merge(page));
  }

  async #reload(take: (page: Page) => void): Promise<void> {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    const meanwhile: Job[] = (this.#meanwhile = []);
    try {
      const page = await api.jobs(filtersOf(this.#view), null, running.signal);
      if (running.signal.aborted) return;
      take(page);
      this.phase = 'ready';
    } catch (error) {
      if (running.signal.aborted) return;
      this.problem = messageOf(error);
      this.phase = 'failed';
    }
    this.#meanwhile = null;
    for (const job of meanwhile) this.receive(job);
  }

  #show(page: Page): void {
    this.jobs = page.data;
    this.fresh = [];
    this.#turn(page.pagination);
    for (const job of page.data) if (job.progress) this.progress.set(job.id, job.progress);
  }

  #merge(page: Page): void {
    const newest = this.fresh[0] ?? this.jobs[0];
    const oldest = page.data.at(-1);
    const meets = page.data.some((job) => newest && job.id <= newest.id);
    if (!newest || !oldest || (page.pagination.has_more && !meets)) return this.#show(page);
    const there = page.data.map((job) => job.id);
    const gone = (job: Job) => job.id >= oldest.id && !there.includes(job.id);
    for (const job of [...this.jobs, ...this.fresh]) if (gone(job)) this.remove(job.id);
    for (const job of page.data.toReversed()) this.receive(job);
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
    this.#meanwhile?.push(job);
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

  /** A job that was sent from this page: its sender wants to see it. */
  begin(job: Job): void {
    this.receive(job);
    this.showFresh();
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
    if (this.reading()) this.fresh = sorted([job, ...this.fresh]);
    else this.jobs = sorted([job, ...this.jobs]);
  }

  #turn({ has_more, next_cursor }: { has_more: boolean; next_cursor: string | null }): void {
    this.more = has_more && next_cursor !== null;
    this.#cursor = next_cursor;
  }
}

// Job ids are UUIDv7: their order is the order of creation.
const sorted = (jobs: Job[]): Job[] => jobs.toSorted((a, b) => (a.id < b.id ? 1 : -1));
