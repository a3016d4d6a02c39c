import { SvelteMap } from 'svelte/reactivity';
import { api } from './api/calls';
import { messageOf } from './api/errors';
import type { Job, Me, Workflow, WorkflowSummary } from './api/types';
import { Feed } from './feed.svelte';
import { follow } from './live';
import { words } from './text';
import { usualTime } from './time';

type Connection = 'connecting' | 'live' | 'lost' | 'offline';

/** Who is here, what can be run, and the one live connection. */
class Session {
  me = $state.raw<Me | null>(null);
  workflows = $state.raw<WorkflowSummary[]>([]);
  previewDefault = $state(false);
  connection = $state<Connection>('connecting');
  problem = $state(''); // why the page could not start
  comfyui = $state(''); // why jobs wait, in the server's words; empty when they don't
  readonly feed = new Feed();
  #details = new SvelteMap<string, Workflow>();
  #watchers = new Set<(job: Job) => void>();

  async start(): Promise<void> {
    try {
      // First and alone: this request gives a new browser its account.
      this.me = await api.me();
      const { data, preview_default } = await api.workflows();
      this.workflows = data;
      this.previewDefault = preview_default ?? false;
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
      return;
    }
    void this.#look();
    this.#follow();
  }

  title(type: string): string {
    return this.workflows.find((workflow) => workflow.type === type)?.title ?? words(type);
  }

  outputKind(type: string): string | undefined {
    return this.workflows.find((workflow) => workflow.type === type)?.output_kind;
  }

  /** How long such a job usually takes, from the finished ones on this page. */
  usualTime(like: Job): string | null {
    const alike = (job: Job) =>
      job.workflow_type === like.workflow_type &&
      job.workflow_name === like.workflow_name &&
      job.status === 'completed';
    return usualTime(this.feed.jobs.filter(alike).map((job) => job.processing_time_seconds ?? 0));
  }

  async workflow(type: string): Promise<Workflow> {
    const known = this.#details.get(type);
    if (known) return known;
    const workflow = await api.workflow(type);
    this.#details.set(type, workflow);
    return workflow;
  }

  /** Tell everybody on this page that a job changed. */
  receive(job: Job): void {
    this.feed.receive(job);
    for (const watcher of this.#watchers) watcher(job);
  }

  /** Be told of every job that changes. Returns how to stop it. */
  watch(watcher: (job: Job) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #follow(): void {
    follow({
      job: (job) => this.receive(job),
      progress: (id, progress) => {
        this.comfyui = '';
        this.feed.receiveProgress(id, progress);
      },
      removed: (id) => this.feed.remove(id),
      connected: (gap) => {
        this.connection = 'live';
        if (gap) {
          void this.feed.refresh();
          void this.#look();
        }
      },
      lost: () => {
        this.connection = navigator.onLine ? 'lost' : 'offline';
      },
    });
    window.addEventListener('offline', () => (this.connection = 'offline'));
  }

  async #look(): Promise<void> {
    try {
      const { parts } = await api.readiness();
      const part = parts.comfyui;
      this.comfyui = part && !part.ok ? part.message || 'No ComfyUI server is reachable.' : '';
    } catch {
      // The connection's own banner says what is wrong.
    }
  }
}

export const session = new Session();
