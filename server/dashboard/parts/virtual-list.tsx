// A long table of which only what is seen is there. Arrow keys, Page Up and Down, Home and End walk it, Enter opens a row.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface VirtualListProps<Item> {
  readonly label: string;
  readonly head: readonly string[];
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly cells: (item: Item) => readonly ComponentChildren[];
  readonly open: (item: Item) => void;
  /** Class of the grid, for the widths of its columns. */
  readonly kind: string;
}

const ROW_PX = 44;
/** Rows made beyond those that are seen. */
const SPARE = 6;

export function VirtualList<Item>({ label, head, items, keyOf, cells, open, kind }: VirtualListProps<Item>) {
  const view = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState(0);
  useLayoutEffect(() => setHeight(view.current?.clientHeight ?? 600), []);
  useEffect(() => {
    const element = view.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const current = Math.min(active, items.length - 1);
  const page = Math.max(1, Math.floor(height / ROW_PX) - 1);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(items.length - 1, to));
    setActive(next);
    scrollTo(view.current, next * ROW_PX);
  };
  const moves: Readonly<Record<string, () => void>> = {
    ArrowDown: () => go(current + 1),
    ArrowUp: () => go(current - 1),
    PageDown: () => go(current + page),
    PageUp: () => go(current - page),
    Home: () => go(0),
    End: () => go(items.length - 1),
    Enter: () => {
      const item = items[current];
      if (item !== undefined) open(item);
    },
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (move === undefined || event.target !== view.current) return;
    event.preventDefault();
    move();
  };
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE);
  const shown = items.slice(first, first + Math.ceil(height / ROW_PX) + 2 * SPARE);
  return (
    <div class={`virtual ${kind}`}>
      {/* biome-ignore lint/a11y/useSemanticElements: rows that are not there cannot be counted by a table element. */}
      <div
        ref={view}
        class="virtual-view"
        style={{ maxHeight: `${(items.length + 1) * ROW_PX + 2}px` }}
        role="grid"
        aria-label={label}
        aria-rowcount={items.length + 1}
        aria-activedescendant={items.length === 0 ? undefined : `${kind}-row-${current}`}
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: see above. */}
        {/* biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus. */}
        <div class="virtual-row virtual-head" role="row" aria-rowindex={1}>
          {head.map((name) => (
            // biome-ignore lint/a11y/useSemanticElements: see above.
            // biome-ignore lint/a11y/useFocusableInteractive: see above.
            <div key={name} role="columnheader">
              {name}
            </div>
          ))}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: see above. */}
        <div class="virtual-space" role="rowgroup" style={{ height: `${items.length * ROW_PX}px` }}>
          {shown.map((item, at) => {
            const index = first + at;
            return (
              // biome-ignore lint/a11y/useSemanticElements: see above.
              // biome-ignore lint/a11y/useFocusableInteractive: see above.
              // biome-ignore lint/a11y/useKeyWithClickEvents: the grid hears Enter.
              <div
                key={keyOf(item)}
                id={`${kind}-row-${index}`}
                class={`virtual-row${index === current ? " active" : ""}`}
                role="row"
                aria-rowindex={index + 2}
                style={{ transform: `translateY(${index * ROW_PX}px)` }}
                onClick={() => open(item)}
              >
                {cells(item).map((cell, column) => (
                  // biome-ignore lint/a11y/useSemanticElements: see above.
                  // biome-ignore lint/a11y/useFocusableInteractive: see above.
                  <div key={head[column]} role="gridcell">
                    {cell}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Only as far as is needed to see the row below the head. */
function scrollTo(view: HTMLDivElement | null, rowTop: number): void {
  if (view === null) return;
  const room = view.clientHeight - 2 * ROW_PX;
  if (rowTop < view.scrollTop) view.scrollTop = rowTop;
  else if (rowTop > view.scrollTop + room) view.scrollTop = rowTop - room;
}
