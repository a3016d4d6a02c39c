import type { Job } from './api/types';
import { messageOf } from './api/errors';
import { toasts } from './toasts.svelte';

/** On a narrow page the form is a sheet, and this says whether it is up. */
export const sheet = $state({ open: false });

/** Fill the form with what a job was made from. The form's code loads after the feed's. */
export async function reuse(job: Job): Promise<void> {
  try {
    const { composer } = await import('./form/composer.svelte');
    await composer.reuse(job);
  } catch (error) {
    toasts.fail(messageOf(error));
  }
}
