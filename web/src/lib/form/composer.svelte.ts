import { messageOf } from '../api/errors';
import type { Job } from '../api/types';
import { sheet } from '../compose.svelte';
import { location } from '../location.svelte';
import { session } from '../session.svelte';
import { toasts } from '../toasts.svelte';
import { JobForm } from './form.svelte';

/** The form beside the feed: one per workflow, each keeping what was typed. */
class Composer {
  form = $state.raw<JobForm | null>(null);
  problem = $state('');
  #forms = new Map<string, JobForm>();

  /** Show the form of a workflow. */
  async show(type: string): Promise<JobForm | null> {
    if (this.form?.workflow.type === type) return this.form;
    try {
      const workflow = await session.workflow(type);
      const form = this.#forms.get(type) ?? new JobForm(workflow, session.previewDefault);
      this.#forms.set(type, form);
      this.problem = '';
      // Somebody may have gone on to another one meanwhile.
      if (location.view.workflow === type) this.form = form;
      return form;
    } catch (error) {
      this.problem = messageOf(error);
      return null;
    }
  }

  /** A form filled with what a job was made from. */
  async reuse(job: Job): Promise<void> {
    location.go({ workflow: job.workflow_type, job: null });
    sheet.open = true;
    const form = await this.show(job.workflow_type);
    if (!form) return toasts.fail(this.problem);
    form.fill(job.inputs);
    toasts.say('The form has the inputs of that job.');
  }

  async submit(): Promise<Job | null> {
    const job = await this.form?.submit();
    if (!job) return null;
    session.begin(job);
    sheet.open = false;
    return job;
  }
}

export const composer = new Composer();
