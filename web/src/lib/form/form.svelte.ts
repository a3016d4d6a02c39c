import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { api } from '../api/calls';
import { ApiError, messageOf } from '../api/errors';
import type { Job, Workflow } from '../api/types';
import { isStoredFile, storageUrl } from '../job';
import { recall, remember } from '../memory';
import { sentence } from '../text';
import { uuid } from '../unique';
import { fieldsOf, isFile, isList, type Field } from './fields';
import { accepts, fromStored, type MediaValue } from './media';
import { LocalMedia } from './upload.svelte';
import { fileFault, validate, type Faults } from './validate';
import { initialValues, shown, toInputs, type Value, type Values } from './values';

/** The form of one workflow: what is in it, what is wrong with it, and sending it. */
export class JobForm {
  readonly fields: Field[];
  values = $state<Values>({});
  preview = $state(false);
  sending = $state(false);
  problem = $state(''); // of the whole form
  obstacle = $state(''); // the code of that problem
  #tried = $state(false);
  #touched = new SvelteSet<string>();
  #rejected = new SvelteMap<string, string>(); // what the server said, by dotted name
  #faults: Faults = $derived(this.#validate());
  #key = uuid();

  constructor(
    readonly workflow: Workflow,
    previewDefault: boolean,
  ) {
    this.fields = fieldsOf(workflow.schema);
    this.values = initialValues(this.fields);
    this.preview = workflow.preview_available && (previewDefault || !workflow.available);
    this.fill((recall(`form.${workflow.type}`) ?? {}) as Record<string, unknown>);
  }

  #validate(): Faults {
    return validate(this.fields, this.values);
  }

  /** What to say beside a field; faults show once somebody was there or tried to submit. */
  fault(path: string): string {
    const own = this.#faults[path];
    if (own && (this.#tried || this.#touched.has(path))) return own;
    return this.#rejected.get(path) ?? '';
  }

  /** Whether anything inside this field is wrong: `speakers` for `speakers.0.audio`. */
  faulty(path: string): boolean {
    const inside = (name: string) => name === path || name.startsWith(`${path}.`);
    return (
      [...this.#rejected.keys()].some(inside) ||
      (this.#tried && Object.keys(this.#faults).some(inside))
    );
  }

  /** Somebody is changing this field: what was said about it is out of date. */
  edit(path: string): void {
    this.#rejected.delete(path);
    this.problem = '';
    this.#key = uuid(); // another request than the last one
  }

  /** Somebody has changed this field, and what is wrong with it may now be said. */
  touch(path: string): void {
    this.edit(path);
    this.#touched.add(path);
  }

  /** Take over plain inputs: remembered ones, or those of a job (files included). */
  fill(inputs: Record<string, unknown>): void {
    for (const field of this.fields) {
      if (inputs[field.name] !== undefined && inputs[field.name] !== null) {
        this.values[field.name] = filled(field, inputs[field.name]);
      }
    }
  }

  reset(): void {
    this.values = initialValues(this.fields);
    this.#tried = false;
    this.#touched.clear();
    this.#rejected.clear();
    remember(`form.${this.workflow.type}`, {});
  }

  /** Put dropped or pasted files where they fit: the first empty fields, then lists. */
  take(files: File[]): File[] {
    return files.filter((file) => !this.#takeOne(file, this.fields, this.values));
  }

  #takeOne(file: File, fields: Field[], values: Values): boolean {
    for (const field of fields) {
      const value = values[field.name];
      if (field.kind === 'group' && Array.isArray(value)) {
        const inner = (value as Values[]).some((item) => this.#takeOne(file, field.fields, item));
        if (inner) return true;
      } else if (!accepts(field, file.type) || fileFault(field, file.type, file.size)) continue;
      else if (isFile(field) && !value) {
        values[field.name] = new LocalMedia(file);
        return true;
      } else if (field.kind === 'image_list' && Array.isArray(value)) {
        if (value.length >= field.maxItems) continue;
        (value as MediaValue[]).push(new LocalMedia(file));
        return true;
      }
    }
    return false;
  }

  /** Send it. The job, or null when something is in the way (the form then says what). */
  async submit(): Promise<Job | null> {
    if (this.sending) return null;
    this.#tried = true;
    [this.problem, this.obstacle] = ['', ''];
    this.#rejected.clear();
    if (Object.keys(this.#faults).length) return null;
    this.sending = true;
    try {
      const inputs = toInputs(this.fields, this.values);
      const { type } = this.workflow;
      const job = await api.submit(
        { workflow_type: type, inputs, preview: this.preview },
        this.#key,
      );
      this.#key = uuid();
      this.#tried = false;
      remember(`form.${type}`, withoutFiles(this.fields, inputs));
      return job;
    } catch (error) {
      this.#reject(error);
      return null;
    } finally {
      this.sending = false;
    }
  }

  #reject(error: unknown): void {
    if (error instanceof ApiError && error.status) this.#key = uuid(); // answered: the next try is a new request
    const faults = error instanceof ApiError ? error.fields : {};
    for (const [path, message] of Object.entries(faults)) {
      this.#rejected.set(path.replace(/^inputs\./, ''), sentence(message));
    }
    const names = this.fields.map((field) => field.name);
    const beside = [...this.#rejected.keys()].every((path) =>
      names.includes(path.split('.')[0] ?? ''),
    );
    if (this.#rejected.size && beside) return;
    this.problem = messageOf(error);
    this.obstacle = error instanceof ApiError ? error.code : '';
  }
}

function filled(field: Field, value: unknown): Value {
  if (field.kind === 'group' && Array.isArray(value)) {
    return value.map((item) => ({
      ...initialValues(field.fields),
      ...Object.fromEntries(
        field.fields
          .filter((inner) => (item as Record<string, unknown> | null)?.[inner.name] != null)
          .map((inner) => [
            inner.name,
            filled(inner, (item as Record<string, unknown>)[inner.name]),
          ]),
      ),
    }));
  }
  if (field.kind === 'image_list' && Array.isArray(value)) {
    return value.filter(isStoredFile).map((file) => fromStored(file, storageUrl(file.key)));
  }
  if (isFile(field)) return isStoredFile(value) ? fromStored(value, storageUrl(value.key)) : null;
  return shown(field, value);
}

function withoutFiles(fields: Field[], inputs: Record<string, unknown>): Record<string, unknown> {
  const kept = fields.filter((field) => !isFile(field) && !isList(field) && field.kind !== 'seed');
  return Object.fromEntries(kept.map((field) => [field.name, inputs[field.name] ?? null]));
}
