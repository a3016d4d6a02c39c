import { tick } from 'svelte';
import { ApiError, messageOf } from '../../lib/api/errors';
import { sentence } from '../../lib/text';

export type Faults = Record<string, string>;

/** A form that asks the server something: whether it does, and what is wrong, beside the field where it can be. */
export class Asking {
  busy = $state(false);
  problem = $state(''); // of the whole form
  faults = $state.raw<Faults>({});

  constructor(readonly fields: string[]) {}

  /** Ask, unless `faults` has something. Undefined when something is in the way, with the focus where it is. */
  async ask<T>(
    form: HTMLFormElement,
    faults: Faults,
    what: () => Promise<T>,
  ): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.problem = '';
    this.faults = Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault));
    if (Object.keys(this.faults).length) return this.#point(form);
    this.busy = true;
    try {
      return await what();
    } catch (error) {
      this.#refused(error);
    } finally {
      this.busy = false;
    }
    return this.#point(form);
  }

  /** Somebody is changing that field: what was said about it is out of date. */
  edit(field: string): void {
    if (this.faults[field]) this.faults = { ...this.faults, [field]: '' };
  }

  #refused(error: unknown): void {
    const known = error instanceof ApiError ? Object.entries(error.fields) : [];
    const beside = known.filter(([name]) => this.fields.includes(name));
    this.faults = Object.fromEntries(beside.map(([name, fault]) => [name, sentence(fault)]));
    if (!beside.length || beside.length < known.length) this.problem = sentence(messageOf(error));
  }

  async #point(form: HTMLFormElement): Promise<undefined> {
    await tick();
    const wrong = form.querySelector<HTMLElement>('[aria-invalid="true"]');
    (wrong ?? form.querySelector<HTMLElement>('.problem'))?.focus();
    return undefined;
  }
}
