// What a page shows is in its address after "#", so that every view can be passed on and "back" works.

export const read = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

// A step one may want to go back over is pushed; the rest replaces the address.
export function write(values, push) {
  const kept = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const hash = `#${new URLSearchParams(kept)}`;
  if (hash === location.hash) return;
  history[push ? "pushState" : "replaceState"](null, "", hash);
}

export const onReturn = (apply) => window.addEventListener("popstate", () => apply(read()));

// Links that lead on take along what the next page can use.
export function follow(links) {
  for (const link of links) {
    link.addEventListener("click", () => {
      const { plan } = read();
      link.hash = link.dataset.keep === "all" ? location.hash : plan ? `#${new URLSearchParams({ plan })}` : "";
    });
  }
}
