import { formatView, parseView, type View } from './view';

/** The one-time secret of a link that sets a password; null when the address has none. */
const secretIn = (hash: string): string | null => /^#set-password=(.+)/.exec(hash)?.[1] ?? null;

/** The view in the address bar. */
class Location {
  view = $state.raw<View>(parseView(window.location.search));
  secret = $state(secretIn(window.location.hash));

  constructor() {
    window.addEventListener('popstate', () => {
      this.view = parseView(window.location.search);
      this.secret = secretIn(window.location.hash);
    });
  }

  /** Change the view; `replace` leaves no step in the history (typing, arrows). */
  go(changes: Partial<View>, { replace = false } = {}): void {
    const view = { ...this.view, ...changes };
    const url =
      (formatView(view) || window.location.pathname) + (replace ? window.location.hash : '');
    const opened = view.job !== null && (replace ? history.state?.opened : this.view.job === null);
    if (replace) history.replaceState({ opened }, '', url);
    else if (this.secret || formatView(view) !== formatView(this.view))
      history.pushState({ opened }, '', url);
    if (!replace) this.secret = null;
    this.view = view;
  }

  /** Where a link to that view leads. */
  href(changes: Partial<View>): string {
    return formatView({ ...this.view, ...changes }) || '/';
  }

  /** A plain click on a link stays on this page; with a key held it is a link like any other. */
  follow(event: MouseEvent, changes: Partial<View>): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.go(changes);
  }

  open(id: string): void {
    this.go({ job: id }, { replace: this.view.job !== null });
  }

  /** Leave the detail; the step that opened it goes out of the history again. */
  close(): void {
    if (history.state?.opened) history.back();
    else this.go({ job: null }, { replace: true });
  }
}

export const location = new Location();
