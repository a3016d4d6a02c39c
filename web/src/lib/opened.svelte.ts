import { api } from './api/calls';
import { messageOf } from './api/errors';
import type { Attempt, Job, TimelineEvent } from './api/types';
import { session } from './session.svelte';

/** The job in the detail: its row, its timeline and its attempts, kept up to date. */
export class OpenedJob {
  job = $state.raw<Job | null>(null);
  events = $state.raw<TimelineEvent[]>([]);
  attempts = $state.raw<Attempt[]>([]);
  problem = $state('');

  constructor(readonly id: string) {
    this.job = session.feed.find(id) ?? null;
    void this.#load();
  }

  get mine(): boolean {
    return this.job?.user_id != null && this.job.user_id === session.me?.id;
  }

  /** Only the owner and administrators get the timeline and what was sent. */
  get privileged(): boolean {
    return this.mine || Boolean(session.me?.is_admin);
  }

  receive(job: Job): void {
    if (job.id !== this.id || (this.job && this.job.version > job.version)) return;
    const moved = job.status !== this.job?.status || job.attempt !== this.job.attempt;
    this.job = { ...this.job, ...job };
    if (moved) void this.#load();
  }

  async #load(): Promise<void> {
    try {
      const job = await api.job(this.id);
      if (!this.job || job.version >= this.job.version) this.job = job;
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
      return;
    }
    if (!this.privileged) return;
    [this.events, this.attempts] = await Promise.all([
      api.events(this.id).catch(() => []),
      api.attempts(this.id).catch(() => []),
    ]);
  }
}
