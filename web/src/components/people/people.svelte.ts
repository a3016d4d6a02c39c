import { messageOf } from '../../lib/api/errors';
import { toasts } from '../../lib/toasts.svelte';
import { people, type Person } from './calls';

/** The people that a search finds, newest first: keyset pages from the server. */
export class PeopleList {
  list = $state.raw<Person[] | null>(null);
  more = $state(false);
  loading = $state(false);
  problem = $state('');
  #words = '';
  #cursor: string | null = null;
  #asked = 0;

  /** Look for somebody else; "" is everybody. */
  async search(words: string): Promise<void> {
    this.#words = words.trim();
    await this.#load(null);
  }

  async next(): Promise<void> {
    if (this.more && !this.loading) await this.#load(this.#cursor);
  }

  /** Change something about somebody, say so, and show what is so now. */
  async act(one: Person, what: Promise<unknown>, done: string): Promise<boolean> {
    try {
      await what;
      const now = await people.one(one.id);
      this.list = this.list?.map((other) => (other.id === now.id ? now : other)) ?? null;
      toasts.say(done);
      return true;
    } catch (error) {
      toasts.fail(messageOf(error));
      return false;
    }
  }

  async #load(after: string | null): Promise<void> {
    const asked = ++this.#asked;
    this.loading = true;
    try {
      const { data, pagination } = await people.page(this.#words, after);
      if (asked !== this.#asked) return;
      this.list = after ? [...(this.list ?? []), ...data] : data;
      [this.more, this.#cursor] = [pagination.has_more, pagination.next_cursor];
      this.problem = '';
    } catch (error) {
      if (asked === this.#asked) this.problem = messageOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }
}
