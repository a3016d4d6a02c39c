import { api, type JobChanges } from './api/calls';
import { ApiError, messageOf } from './api/errors';
import type { Job } from './api/types';
import { failure, isStoredFile } from './job';
import { location } from './location.svelte';
import { session } from './session.svelte';
import { toasts } from './toasts.svelte';
import { uuid } from './unique';

/** Whether a limit of this person is in the way. */
export const isLimit = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'quota_exceeded';

/** Tell the person what went wrong, and where the limits are if it was one. */
export function complain(error: unknown): void {
  const run = () => location.go({ page: 'limits', job: null });
  toasts.fail(messageOf(error), isLimit(error) ? { label: 'Limits', run } : undefined);
}

/** Run, and tell the person when it fails. */
async function attempt<T>(what: Promise<T>): Promise<T | undefined> {
  try {
    return await what;
  } catch (error) {
    complain(error);
    return undefined;
  }
}

async function change(what: Promise<Job>): Promise<void> {
  const job = await attempt(what);
  if (job) session.receive(job);
}

/** A job's inputs as POST /api/jobs takes them: files by their object key. */
export function resubmittable(inputs: unknown): unknown {
  if (isStoredFile(inputs)) return { key: inputs.key };
  if (Array.isArray(inputs)) return inputs.map(resubmittable);
  if (typeof inputs !== 'object' || inputs === null) return inputs;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, resubmittable(value)]),
  );
}

/** The same inputs as a new job. */
export async function runAgain(job: Job): Promise<void> {
  const again = {
    workflow_type: job.workflow_type,
    inputs: resubmittable(job.inputs) as Record<string, unknown>,
    parent_id: job.id,
    preview: job.workflow_name === 'preview.json',
  };
  const created = await attempt(api.submit(again, uuid()));
  if (!created) return;
  session.begin(created);
  toasts.say('Running again as a new job.', {
    label: 'Show',
    run: () => location.go({ job: created.id }),
  });
}

export const cancel = (job: Job): Promise<void> => change(api.cancel(job.id));
export const edit = (job: Job, changes: JobChanges): Promise<void> =>
  change(api.edit(job.id, changes));
export const restore = (job: Job): Promise<void> => change(api.restore(job.id));

/** To the trash, with a way back. */
export async function remove(job: Job): Promise<void> {
  const failed = await api.remove(job.id).then(() => '', messageOf);
  if (failed) return toasts.fail(failed);
  session.feed.remove(job.id);
  if (location.view.job === job.id) location.close();
  toasts.say('Moved to the trash.', { label: 'Undo', run: () => void restore(job) });
}

export async function copy(text: string, what: string): Promise<void> {
  const copied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  if (copied || copyBySelection(text)) toasts.say(`${what} copied.`);
  else
    toasts.fail('This browser does not let the page copy. Select the text and copy it yourself.');
}

// Pages on plain http have no clipboard API.
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

/** Everything that helps somebody else understand the failure. */
export const errorReport = (job: Job): string =>
  [
    failure(job),
    `Code: ${job.error_code ?? 'none'}`,
    `Job: ${job.id} (${job.workflow_type}, attempt ${job.attempt ?? 1})`,
    ...(job.error_details ? [JSON.stringify(job.error_details, null, 2)] : []),
  ].join('\n');
