/* The console is complete without this file: it adds keys, live news and a steady place while lines are added. */
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const said = one("#said");
  const pulse = one("#pulse");
  const lines = one("#lines");

  // Keys: / goes to the search, the arrows through what was found.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const q = one("#q");
      if (q) { event.preventDefault(); q.focus(); q.select(); }
      return;
    }
    const down = event.key === "ArrowDown";
    if ((!down && event.key !== "ArrowUp") || event.ctrlKey || event.metaKey || event.altKey) return;
    const stops = [one("#q"), ...all("a.hit")];
    const place = stops.indexOf(document.activeElement);
    if (place < 0 || stops.length < 2) return;
    event.preventDefault();
    stops[Math.min(stops.length - 1, Math.max(0, place + (down ? 1 : -1)))].focus();
  });
  // Enter with one customer found opens the card.
  const search = one("form.search");
  if (search) search.addEventListener("submit", (event) => {
    const hits = all("#results a.hit");
    if (hits.length === 1 && one("#results").dataset.q === one("#q").value.trim()) {
      event.preventDefault();
      hits[0].click();
    }
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    const results = one("#results");
    if (results && event.detail.elt.id === "q") results.dataset.asked = one("#q").value.trim();
  });
  document.body.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches?.("details.talk") && document.activeElement === document.body) one("summary", event.detail.elt).focus({ preventScroll: true });
    if (event.detail.elt.matches?.(".months") && document.activeElement === document.body) event.detail.elt.focus({ preventScroll: true });
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "results") event.detail.target.dataset.q = event.detail.target.dataset.asked || "";
  });

  // The line that somebody reads stays where it is, whatever is put in above it.
  const steady = (change) => {
    const anchor = window.scrollY > 0 && all("article", lines).find((line) => line.getBoundingClientRect().bottom > 0);
    const before = anchor ? anchor.getBoundingClientRect().top : 0;
    change();
    if (anchor && anchor.isConnected) window.scrollBy(0, anchor.getBoundingClientRect().top - before);
  };
  const tidy = () => {
    let day = "";
    for (const node of all(".day, article", lines)) {
      if (node.matches(".day")) {
        let next = node.nextElementSibling;
        while (next && !next.matches(".day, article")) next = next.nextElementSibling;
        if (node.dataset.day === day || !next || !next.matches("article") || next.dataset.day !== node.dataset.day) {
          node.remove();
        } else day = node.dataset.day;
      } else if (node.dataset.day !== day) {
        const label = document.createElement("h2");
        label.className = "day";
        label.dataset.day = day = node.dataset.day;
        label.textContent = node.dataset.dayLabel;
        node.before(label);
      }
    }
  };
  if (lines) {
    let anchor = null;
    let before = 0;
    lines.addEventListener("htmx:beforeSwap", () => {
      anchor = window.scrollY > 0 ? all("article", lines).find((line) => line.getBoundingClientRect().bottom > 0) : null;
      before = anchor ? anchor.getBoundingClientRect().top : 0;
    });
    lines.addEventListener("htmx:afterSettle", () => {
      const seen = new Set();
      for (const line of all("article", lines)) {
        if (seen.has(line.dataset.interaction)) line.remove();
        seen.add(line.dataset.interaction);
      }
      tidy();
      if (anchor && anchor.isConnected) window.scrollBy(0, anchor.getBoundingClientRect().top - before);
      anchor = null;
    });
    const asked = new URLSearchParams(location.search);
    const here = one("article.here", lines) || ((asked.has("on") || asked.has("cursor")) && one(".day", lines));
    if (here) {
      here.scrollIntoView({ block: "center" });
      if (here.matches("article")) here.focus({ preventScroll: true });
    }
  }

  // Long texts and files in place.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.whole");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
      const fresh = answer.ok && article(await answer.text());
      if (!fresh) throw new Error("no line");
      link.closest("article").replaceWith(fresh);
      window.htmx.process(fresh);
      fresh.focus({ preventScroll: true });
    } catch { location.href = link.href; }
  });
  const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;
  const article = (html) => { const found = one("article", parse(html)); return found && document.adoptNode(found); };

  // Who waits for a first contact: the card opens by itself, but not over a note that is being written.
  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    const { elt, xhr } = event.detail;
    const address = xhr.getResponseHeader("HX-Redirect");
    if (!address || !elt.matches("[data-waits]") || !one("#note")?.value.trim()) return;
    event.preventDefault();
    elt.remove();
    const came = one("#came");
    came.href = address;
    came.hidden = false;
    said.textContent = came.textContent;
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    // The element that asked may be gone by now, and the event is then told by one around it.
    if (event.detail.requestConfig.elt.matches("[data-waits]") && pulse) tell(event.detail.successful);
  });
  // Signed out meanwhile: the form to sign in is a page of its own, not a part of this one.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (!new URL(event.detail.xhr.responseURL || location.href).pathname.startsWith("/login/")) return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  // Live.
  const tell = (alive) => {
    pulse.hidden = false;
    pulse.classList.toggle("dead", !alive);
    const words = alive ? pulse.dataset.live : pulse.dataset.dead;
    if (pulse.textContent !== words) {
      if (pulse.textContent || !alive) said.textContent = words;
      pulse.textContent = words;
    }
  };
  const announce = (line) => {
    said.textContent = `${pulse.dataset.arrived} ${one(".what", line).textContent} ${one(".way", line).textContent}`.replace(/\s+/g, " ");
  };
  // What a reader opened in a line stays open when the line comes anew.
  const keep = (old, fresh) => {
    fresh.classList.toggle("here", old.classList.contains("here"));
    for (const part of all("details", fresh)) part.open = !!one(`details.${part.className}`, old)?.open;
    const talk = one("details.talk", old);
    if (talk) one("a.talk", fresh)?.replaceWith(talk);
  };
  const place = (fresh) => {
    const old = document.getElementById(fresh.id);
    if (old) {
      const focused = old.contains(document.activeElement);
      keep(old, fresh);
      old.replaceWith(fresh);
      window.htmx.process(fresh);
      if (focused) fresh.focus({ preventScroll: true });
      if (old.dataset.sort === fresh.dataset.sort) return;
      fresh.remove();
    }
    const rest = all("article", lines).find((line) => line.dataset.sort < fresh.dataset.sort);
    const first = one("article", lines);
    if (rest && rest === first && one("nav.newer", lines)) { above(); return; }
    if (rest) rest.before(fresh);
    else if (!one("nav.older", lines)) (all("article", lines).pop() || lines.lastElementChild || lines.appendChild(document.createElement("i"))).after(fresh);
    else return;
    window.htmx.process(fresh);
    one("p.empty", lines)?.remove();
    if (!old) { fresh.classList.add("arrived"); announce(fresh); }
  };
  const above = (words = pulse.dataset.above, address = location.pathname) => {
    const link = one("a.above") || document.createElement("a");
    link.className = "above notice";
    link.href = address;
    link.textContent = said.textContent = words;
    pulse.after(link);
  };
  const follow = (ask, every) => {
    let timer = 0;
    let pause = every;
    let running = false;
    const run = async () => {
      clearTimeout(timer);
      if (running) return;
      running = true;
      try {
        await ask();
        pause = every;
        tell(true);
      } catch {
        pause = Math.min(pause * 2, 30000);
        tell(false);
      }
      running = false;
      timer = setTimeout(run, document.hidden ? Math.max(pause, 10000) : pause);
    };
    document.addEventListener("visibilitychange", () => { if (!document.hidden) run(); });
    window.addEventListener("online", run);
    window.addEventListener("offline", () => tell(false));
    document.body.addEventListener("cxhub:news", run);
    timer = setTimeout(run, every);
  };
  const get = async (url, tag) => {
    const headers = { "HX-Request": "true" };
    if (tag) headers["If-None-Match"] = tag;
    const answer = await fetch(url, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(15000) });
    if (answer.status === 304) return null;
    if (answer.status === 404 || answer.status === 410) location.reload(); // Erased meanwhile: the page says so.
    if (!answer.ok) throw new Error(answer.status);
    return answer;
  };
  if (lines && lines.dataset.news) follow(async () => {
    if (!lines.dataset.news) return;
    const since = lines.dataset.since;
    const answer = await get(`${lines.dataset.news}&since=${encodeURIComponent(since)}`, `"${since}"`);
    if (!answer) return;
    const news = one("div", parse(await answer.text()));
    if (news.firstElementChild) news.dataset.told = "1";
    if (news.hasAttribute("data-reset")) { await reset(); return; }
    steady(() => {
      for (const gone of all("[data-gone]", news)) document.getElementById(`line-${gone.dataset.gone}`)?.remove();
      for (const fresh of all("article", news).reverse()) place(document.adoptNode(fresh));
      tidy();
    });
    lines.dataset.since = news.dataset.next;
    if (!news.dataset.told) return;
    for (const talk of all("details.talk[open]", lines)) window.htmx.trigger(talk, "refresh");
    await side();
  }, 2000);
  // What stands beside the timeline comes anew; what was opened there stays open, and the focus where it was.
  const beside = (fresh) => {
    const old = one("aside.card");
    const open = all("details", old).map((part) => part.open);
    const stops = "a, button, summary, [tabindex]";
    const at = all(stops, old).indexOf(document.activeElement);
    const same = document.activeElement?.id;
    const months = one(".months", old);
    old.replaceWith(document.adoptNode(fresh));
    window.htmx.process(fresh);
    if (months) window.htmx.trigger(one("#by-month", fresh), "click");
    all("details", fresh).forEach((part, index) => { part.open = !!open[index]; });
    if (at >= 0) ((same && document.getElementById(same)) || all(stops, fresh)[at])?.focus({ preventScroll: true });
  };
  const side = async () => {
    const fresh = one("aside.card", parse(await (await get(lines.dataset.side)).text()));
    if (fresh) beside(fresh);
  };
  // Identities came or went: the page is read again around the line that is being read, and what stands in a form stays.
  const reset = async () => {
    const seen = window.scrollY > 0 ? all("article", lines).filter((line) => line.getBoundingClientRect().bottom > 0).slice(0, 4) : [];
    const asked = new URLSearchParams(location.search);
    asked.delete("cursor");
    asked.delete("on");
    let page = null;
    let kept = null;
    for (const line of seen) {
      asked.set("at", line.dataset.interaction);
      const answer = await fetch(`${location.pathname}?${asked}`, { cache: "no-store", redirect: "manual" });
      if (!answer.ok) continue; // This line went with somebody else.
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if ((kept = page.getElementById(line.id) && line)) break;
    }
    if (!kept) {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      if (answer.redirected) { follows(answer.url); return; }
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    }
    const card = one("aside.card", page);
    const fresh = one("#lines", page);
    if (!card || !fresh) { location.reload(); return; }
    const top = kept ? kept.getBoundingClientRect().top : 0;
    const focused = lines.contains(document.activeElement) && document.activeElement.closest("article")?.id;
    const here = one("article.here", lines)?.id;
    for (const line of all("article", fresh)) {
      line.classList.toggle("here", line.id === here);
      const old = document.getElementById(line.id);
      if (old) keep(old, line);
    }
    beside(card);
    document.title = page.title;
    lines.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    Object.assign(lines.dataset, fresh.dataset);
    if (kept) window.scrollBy(0, document.getElementById(kept.id).getBoundingClientRect().top - top);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    said.textContent = pulse.dataset.anew;
    window.htmx.process(lines);
  };
  // The contact that was asked for is another customer's by now; who writes a note decides himself when to follow.
  const follows = (address) => {
    if (!one("#note")?.value.trim()) { location.href = address; return; }
    above(pulse.dataset.moved, address);
    lines.dataset.news = "";
  };

  const now = one("#now");
  if (now) {
    let tag = "";
    const told = new WeakMap(all("article", now).map((line) => [line, line.innerHTML]));
    follow(async () => {
      const answer = await get(now.dataset.livePage, tag);
      if (!answer) return;
      tag = answer.headers.get("ETag") || "";
      const fresh = parse(await answer.text());
      const first = !now.dataset.followed;
      now.dataset.followed = "1";
      for (const group of all("[data-group]", now)) {
        const wanted = all(`[data-group=${group.dataset.group}] > *`, fresh).map((line) => {
          const old = line.id && document.getElementById(line.id);
          if (!old && line.matches("article") && !first) { line.classList.add("arrived"); announce(line); }
          if (old && group.contains(old) && told.get(old) === line.innerHTML) return old;
          document.adoptNode(line);
          told.set(line, line.innerHTML);
          if (old && line.matches("article")) keep(old, line);
          return line;
        });
        const focused = document.activeElement;
        wanted.forEach((line, index) => {
          if (group.children[index] !== line) group.insertBefore(line, group.children[index] || null);
        });
        while (group.children.length > wanted.length) group.lastElementChild.remove();
        window.htmx.process(group);
        if (focused && focused.isConnected && group.contains(focused)) focused.focus({ preventScroll: true });
      }
    }, 3000);
  }
})();
