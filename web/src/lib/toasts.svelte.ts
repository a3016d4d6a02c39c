export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'bad';
  action?: { label: string; run: () => void };
}

const SECONDS = { plain: 5, action: 10, bad: 10 };

/** Short messages at the bottom of the page, read out by screen readers. */
class Toasts {
  list = $state.raw<Toast[]>([]);
  #count = 0;
  #timers = new Map<number, number>();

  say(text: string, action?: Toast['action']): void {
    this.#add({ id: ++this.#count, text, tone: 'plain', action });
  }

  fail(text: string, action?: Toast['action']): void {
    this.#add({ id: ++this.#count, text, tone: 'bad', action });
  }

  dismiss(id: number): void {
    this.hold(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** Keep it for as long as somebody points at it. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  release(toast: Toast): void {
    this.hold(toast.id);
    const seconds = toast.action ? SECONDS.action : SECONDS[toast.tone];
    this.#timers.set(
      toast.id,
      window.setTimeout(() => this.dismiss(toast.id), seconds * 1000),
    );
  }

  #add(toast: Toast): void {
    this.list = [...this.list.slice(-2), toast];
    this.release(toast);
  }
}

export const toasts = new Toasts();
