// Keeps the list fresh without losing the reader's place, and says so when it cannot.
(function () {
  "use strict";
  var every = 5000;
  var gone = document.getElementById("offline");
  var since = gone.querySelector("time");
  function pad(n) { return String(n).padStart(2, "0"); }
  var last = new Date();
  function fresh(text) {
    var next = new DOMParser().parseFromString(text, "text/html");
    ["live", "updated"].forEach(function (id) {
      var now = document.getElementById(id), then = next.getElementById(id);
      if (!then) { throw new Error("not the board"); }
      if (now.innerHTML !== then.innerHTML) { now.innerHTML = then.innerHTML; }
    });
    last = new Date();
    gone.hidden = true;
  }
  function lost() {
    since.textContent = pad(last.getHours()) + ":" + pad(last.getMinutes()) + ":" + pad(last.getSeconds());
    gone.hidden = false;
  }
  function ask() {
    var give_up = new AbortController();
    var timer = setTimeout(function () { give_up.abort(); }, every);
    fetch(location.href, { cache: "no-store", signal: give_up.signal })
      .then(function (answer) {
        if (!answer.ok) { throw new Error("refused"); }
        return answer.text();
      })
      .then(fresh)
      .catch(lost)
      .finally(function () { clearTimeout(timer); setTimeout(ask, every); });
  }
  setTimeout(ask, every);
})();
