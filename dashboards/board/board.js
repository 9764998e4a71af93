// Live rows, keys, and saying so when the page is old. Without it the page works and reloads by itself.
(function () {
  "use strict";
  var body = document.body;
  var OLD_AFTER = 30000;   // a page that heard nothing for so long is old [ms]
  var LOST_AFTER = 12000;  // a stream that says nothing for so long is opened anew [ms]

  function each(nodes, act) { Array.prototype.forEach.call(nodes, act); }
  function parsed(html) {
    var holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content;
  }

  // How long ago: minutes and hours beside each marked time.
  function ago(root) {
    each(root.querySelectorAll("time[data-ago]"), function (one) {
      var minutes = Math.max(0, Math.floor((Date.now() - Date.parse(one.dateTime)) / 60000));
      var said = minutes < 60 ? minutes + "\u00a0min"
        : minutes < 2880 ? Math.floor(minutes / 60) + (body.parentNode.lang === "nb" ? "\u00a0t" : "\u00a0h")
        : Math.floor(minutes / 1440) + "\u00a0d";
      if (one.getAttribute("data-said") !== said) { one.setAttribute("data-said", said); }
    });
  }
  ago(document);
  setInterval(function () { ago(document); }, 30000);
  each(document.querySelectorAll(".needs-script"), function (one) { one.hidden = false; });
  each(document.querySelectorAll("[data-print]"), function (one) {
    one.addEventListener("click", function () { window.print(); });
  });

  // A form is sent once, however often its button is pressed.
  each(document.querySelectorAll("form[method=post]"), function (form) {
    form.addEventListener("submit", function (event) {
      if (form.getAttribute("data-sent")) { event.preventDefault(); return; }
      form.setAttribute("data-sent", "1");
      setTimeout(function () { form.removeAttribute("data-sent"); }, 10000);
    });
  });
  // The form that the address names is opened and its first field focused.
  function opened() {
    var wanted = location.hash && document.getElementById(location.hash.slice(1));
    if (wanted && wanted.tagName === "DETAILS") {
      wanted.open = true;
      var field = wanted.querySelector("select, input:not([type=hidden]), textarea");
      if (field) { field.focus(); }
    }
  }
  window.addEventListener("hashchange", opened);
  opened();
  window.addEventListener("load", function () { setTimeout(opened, 0); });  // going to the fragment moves the focus
  var summary = document.getElementById("faults");
  if (summary) { summary.focus(); }

  var rows = document.getElementById("rows");
  var gone = document.getElementById("gone");
  var heard = Date.now();
  if (!rows) {
    // A page without a stream hears of nothing: soon it says from when it is.
    setInterval(function () {
      if (gone && Date.now() - heard > OLD_AFTER) { gone.hidden = false; }
    }, 1000);
    return;
  }
  var form = document.getElementById("filters");
  var version = body.getAttribute("data-version");
  var source = null;

  function clock(at, seconds) {
    // In the time zone of the page, which need not be the browser's.
    var form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: body.getAttribute("data-tz") };
    if (seconds) { form.second = "2-digit"; }
    return at.toLocaleTimeString("en-GB", form);
  }

  // What the address asks for holds for rows that come later too.
  var wanted = new URLSearchParams(location.search);
  var text = (wanted.get("q") || "").trim().toLowerCase();
  var found = null; // whom the search by name found; null: no search holds
  function search(page) {
    // The server knows whom it found and whether it still remembers that: it is asked with each whole list.
    found = null;
    if (page.body.hasAttribute("data-found")) {
      found = {};
      each(page.getElementById("rows").children, function (row) { found[row.id] = true; });
    }
  }
  search(document);
  function fits(row) {
    var zone = wanted.get("zone");
    if (zone && zone !== "unacknowledged" && row.getAttribute("data-zone") !== zone) { return false; }
    if (zone === "unacknowledged" && !row.classList.contains("waits")) { return false; }
    if (wanted.get("mine") && row.getAttribute("data-by") !== body.getAttribute("data-me")) { return false; }
    if (found && !found[row.id]) { return false; }
    if (text && row.id.toLowerCase().indexOf(text, 2) < 0) { return false; }
    return ["service", "municipality", "pathway", "phase"].every(function (kind) {
      return !wanted.get(kind) || row.getAttribute("data-" + kind) === wanted.get(kind);
    });
  }

  function place(row) {
    var order = row.getAttribute("data-order"), low = 0, high = rows.children.length;
    while (low < high) {
      var middle = (low + high) >> 1;
      if (rows.children[middle].getAttribute("data-order") < order) { low = middle + 1; } else { high = middle; }
    }
    rows.insertBefore(row, rows.children[low] || null);
  }

  function put(html) {
    var next = parsed(html).firstElementChild;
    var held = document.getElementById(next.id);
    var turned = next.getAttribute("data-zone") === "red" && (!held || held.getAttribute("data-zone") !== "red");
    var focus = null;
    if (held && held.contains(document.activeElement)) {
      var links = held.querySelectorAll("a, summary");
      focus = Math.max(0, Array.prototype.indexOf.call(links, document.activeElement));
    }
    var opened = held ? Array.prototype.map.call(held.querySelectorAll("details"), function (one) { return one.open; }) : [];
    if (held) { held.remove(); }
    if (!fits(next)) { return null; }
    each(next.querySelectorAll("details"), function (one, number) { one.open = !!opened[number]; });
    ago(next);
    place(next);
    if (held && held.getAttribute("data-order") !== next.getAttribute("data-order") || !held) {
      next.classList.add("fresh");
    }
    if (focus !== null) {
      var now = next.querySelectorAll("a, summary");
      (now[focus] || now[0]).focus({ preventScroll: true });
    }
    return turned ? next : null;
  }

  function announce(reds) {
    if (!reds.length) { return; }
    document.getElementById("announce").textContent = reds.map(function (row) {
      var why = row.querySelector(".reasons li");
      return row.querySelector(".c-id a").textContent + " " + body.getAttribute("data-red")
        + (why ? ": " + why.textContent : "");
    }).join(". ");
  }

  function keeping(act) {
    // What the reader looks at stays where it is, though rows come and go above it.
    var anchor = null, top = 0;
    if (window.scrollY > 40) {
      each(rows.children, function (row) {
        if (!anchor && row.getBoundingClientRect().bottom > 0) { anchor = row; top = row.getBoundingClientRect().top; }
      });
    }
    act();
    if (anchor) {
      var now = document.getElementById(anchor.id);
      if (now) { window.scrollBy(0, now.getBoundingClientRect().top - top); }
    }
  }

  function alive() {
    heard = Date.now();
    gone.hidden = true;
    var at = document.querySelector("#updated time");
    var time = new Date();
    at.dateTime = time.toISOString();
    at.textContent = clock(time, true);
  }

  function replace(id, html) {
    var place = document.getElementById(id);
    if (html !== undefined && place.innerHTML !== html && !place.contains(document.activeElement)) {
      place.innerHTML = html;
    }
  }

  function mark() {
    // The counts that come are of no selection: the one in force is marked again.
    var zone = wanted.get("zone");
    each(document.querySelectorAll("#counts a"), function (link) {
      if (link.getAttribute("href") === (zone ? "/?zone=" + zone : "/")) {
        link.setAttribute("aria-current", "true");
      } else { link.removeAttribute("aria-current"); }
    });
  }

  function changed(event) {
    var told = JSON.parse(event.data), reds = [];
    version = event.lastEventId || version;
    keeping(function () {
      told.gone.forEach(function (id) {
        var row = document.getElementById("p-" + id);
        if (row) { row.remove(); }
      });
      told.rows.forEach(function (html) {
        var red = put(html);
        if (red) { reds.push(red); }
      });
    });
    replace("counts", told.counts);
    mark();
    replace("banners", told.banners);
    document.getElementById("empty").hidden = rows.children.length > 0;
    announce(reds);
    alive();
  }

  function anew() {
    // The server cannot say what changed since: the whole list is fetched, and the place kept.
    fetch(location.href, { cache: "no-store" }).then(function (answer) {
      if (answer.redirected || !answer.ok) { location.reload(); throw new Error("signed out"); }
      return answer.text();
    }).then(function (html) {
      var next = new DOMParser().parseFromString(html, "text/html");
      version = next.body.getAttribute("data-version");
      search(next);
      document.getElementById("forgotten").hidden = next.getElementById("forgotten").hidden;
      keeping(function () { rows.innerHTML = next.getElementById("rows").innerHTML; });
      ago(rows);
      ["counts", "banners"].forEach(function (id) { replace(id, next.getElementById(id).innerHTML); });
      document.getElementById("empty").hidden = rows.children.length > 0;
      alive();
      open();
    }).catch(function () { setTimeout(open, 3000); });
  }

  function open() {
    if (source) { source.close(); }
    source = new EventSource(body.getAttribute("data-events") + "&since=" + encodeURIComponent(version));
    source.addEventListener("rows", changed);
    source.addEventListener("beat", alive);
    source.addEventListener("anew", function () { source.close(); anew(); });
    source.addEventListener("left", function () { source.close(); location.reload(); });
  }
  open();
  setInterval(function () {
    var silent = Date.now() - heard;
    if (silent > OLD_AFTER) {
      var said = body.getAttribute("data-stale") + " " + clock(new Date(heard), false);
      if (gone.hidden || gone.textContent !== said) { gone.textContent = said; gone.hidden = false; }
    }
    if (silent > LOST_AFTER && (!source || source.readyState === 2 || silent % 15000 < 1000)) { open(); }
  }, 1000);
  if (form) {
    if (window.matchMedia("(max-width: 60rem)").matches && !/[?&](service|municipality|pathway|phase|mine)=[^&]/.test(location.search)) {
      document.getElementById("more-filters").open = false;
    }
    each(form.querySelectorAll("select, input[type=checkbox]"), function (one) {
      one.addEventListener("change", function () { form.requestSubmit(); });
    });
  }

  // Keys.
  var help = document.getElementById("help");
  function chosen() {
    var row = document.activeElement && document.activeElement.closest && document.activeElement.closest("#rows > tr");
    return row || null;
  }
  function go(step) {
    var row = chosen();
    var next = !row ? rows.children[0] : step > 0 ? row.nextElementSibling : row.previousElementSibling;
    var link = next && next.querySelector(".c-id a");
    if (link) { link.focus(); next.scrollIntoView({ block: "nearest" }); }
  }
  document.getElementById("help-open").addEventListener("click", function () { help.showModal(); });
  document.addEventListener("keydown", function (event) {
    var writing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) { return; }
    if (writing) {
      if (event.key === "Escape") { event.target.blur(); }
      return;
    }
    var act = {
      j: function () { go(1); }, ArrowDown: function () { go(1); },
      k: function () { go(-1); }, ArrowUp: function () { go(-1); },
      a: function () {
        var row = chosen() || rows.querySelector("tr.waits");
        var link = row && row.querySelector("[data-ack]");
        if (link) { link.click(); }
      },
      "/": function () { var q = document.getElementById("q"); if (q) { q.focus(); q.select(); } },
      "?": function () { help.showModal(); }
    }[event.key];
    // The arrows scroll the page, unless a row is chosen.
    if (act && !(/^Arrow/.test(event.key) && !chosen())) { event.preventDefault(); act(); }
  });
})();
