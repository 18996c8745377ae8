// A file that is too large is told before it is sent; what runs is followed without a reload. Everything works without.
"use strict";
(() => {
  const file = document.getElementById("file");
  if (file) {
    const wrong = document.getElementById("file-error");
    file.addEventListener("change", () => {
      const tooLarge = [...file.files].some((one) => one.size > Number(file.dataset.most));
      wrong.hidden = !tooLarge;
      file.setCustomValidity(tooLarge ? wrong.textContent : "");
    });
  }

  const own = document.getElementById("document-own");
  for (const field of document.querySelectorAll("[name=yaml], [name=yaml_file]")) {
    field.addEventListener("input", () => { own.checked = true; });
  }

  const main = document.querySelector("main");
  const follow = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* away for a moment: the next look says more */ }
    if (document.querySelector("[data-running]")) setTimeout(follow, 1000);
  };
  const show = (found) => {
    if (found.querySelector("[data-running]")) {
      document.querySelector("progress").value = found.querySelector("progress").value;
      const said = document.getElementById("rows-done"), says = found.getElementById("rows-done").textContent;
      if (said.textContent !== says) said.textContent = says;
      return;
    }
    main.replaceChildren(...found.querySelector("main").childNodes);
    document.title = found.title;
    main.querySelector("h1").focus();
  };
  if (document.querySelector("[data-running]")) setTimeout(follow, 1000);
})();
