import { messageOf } from '../../lib/api/errors';
import type { Job } from '../../lib/api/types';
import { location } from '../../lib/location.svelte';
import { now } from '../../lib/now.svelte';
import { session } from '../../lib/session.svelte';
import { toasts } from '../../lib/toasts.svelte';
import { plural } from '../../lib/text';
import { bin } from './calls';

const DAY_MS = 86_400_000;

/** The trash: how long jobs stay in it, and what ends that. */
class Trash {
  days = $state.raw<number | null>(null); // null: for ever, or not known yet
  #asked = false;

  /** Ask once how long jobs stay. */
  look(): void {
    if (this.#asked) return;
    this.#asked = true;
    bin.days().then(
      (days) => (this.days = days),
      () => (this.#asked = false),
    );
  }

  /** When a job goes for ever, in words; empty when it doesn't. */
  until(job: Job): string {
    if (!job.deleted_at || this.days === null) return '';
    const left = Date.parse(job.deleted_at) + this.days * DAY_MS - now.minute;
    if (left < DAY_MS) return 'gone within a day';
    return `gone in ${plural(Math.round(left / DAY_MS), 'day')}`;
  }

  async purge(job: Job): Promise<void> {
    try {
      await bin.purge(job.id);
    } catch (error) {
      return toasts.fail(messageOf(error));
    }
    session.feed.remove(job.id);
    if (location.view.job === job.id) location.close();
    toasts.say('Deleted for ever.');
  }

  async empty(): Promise<void> {
    try {
      toasts.say(`${plural(await bin.empty(), 'job')} deleted for ever.`);
    } catch (error) {
      toasts.fail(messageOf(error));
    }
    await session.feed.load(location.view, session.me?.id ?? null);
  }
}

export const trash = new Trash();
