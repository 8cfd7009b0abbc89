// Changes the cart without loading the page again. Where this does not run, the
// forms do the same by themselves.

const panel = () => document.querySelector("#cart");
const messages = document.querySelector("#messages");

// Of several changes in a row, the next one sets out when the one before has
// been shown, so that no older cart comes last.
let before = Promise.resolve();

// After a failure the forms are on their own.
let failed = false;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (failed || !new URL(form.action).pathname.startsWith("/cart")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  before = before.then(() => change(form.action, body));
});

async function change(action, body) {
  if (failed) return; // what was clicked meanwhile is not sent, and the notice stays
  try {
    const response = await fetch(action, { method: "POST", body }); // and on to the page that it leads to
    const text = await response.text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const cart = page.querySelector("#cart");
    if (!response.ok || !cart) throw new Error(`The shop answered ${response.status} ${response.statusText}.`);
    show(cart, page.querySelectorAll("#messages > *"));
  } catch (error) {
    failed = true;
    const problem = error instanceof TypeError ? "The shop can't be reached." : error.message;
    // It may have happened all the same, so trying again is the visitor's choice.
    say([note(`${problem} Look what is in your cart before you try again; what you clicked after that was not sent.`)]);
  }
}

// show puts the new cart and its messages into the page. The focus stays on what
// it was on, or, if that is gone, on the cart.
function show(cart, notes) {
  const focused = panel().contains(document.activeElement) && document.activeElement.id;
  panel().replaceWith(cart);
  if (focused) (document.getElementById(focused) ?? cart).focus();
  say(notes);
}

// say has them announced: the list was there before, and is a live region.
function say(notes) {
  messages.replaceChildren(...notes);
}

function note(text) {
  const p = document.createElement("p");
  p.className = "message error";
  p.setAttribute("role", "alert");
  p.textContent = text;
  return p;
}
