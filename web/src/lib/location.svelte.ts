import { formatView, parseView, type View } from './view';

/** The view in the address bar. */
class Location {
  view = $state.raw<View>(parseView(window.location.search));

  constructor() {
    window.addEventListener('popstate', () => {
      this.view = parseView(window.location.search);
    });
  }

  /** Change the view; `replace` leaves no step in the history (typing, arrows). */
  go(changes: Partial<View>, { replace = false } = {}): void {
    const view = { ...this.view, ...changes };
    const url = formatView(view) || window.location.pathname;
    const opened = view.job !== null && (replace ? history.state?.opened : this.view.job === null);
    if (replace) history.replaceState({ opened }, '', url);
    else if (formatView(view) !== formatView(this.view)) history.pushState({ opened }, '', url);
    this.view = view;
  }

  /** Where a link to that view leads. */
  href(changes: Partial<View>): string {
    return formatView({ ...this.view, ...changes }) || '/';
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
