// Adds 50 limes with 50 requests and says how many of them arrived.

const button = document.querySelector("#fifty");
const arrived = document.querySelector("#arrived");

const addOne = () => fetch("/cart", {
  method: "POST",
  body: new URLSearchParams({ item: "lime" }),
  redirect: "manual", // the next page is fetched once, below, and not 50 times
});

async function currentCart() {
  const response = await fetch("/");
  if (!response.ok) throw new Error(response.statusText);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.querySelector("#cart");
}

async function addFifty() {
  const before = await currentCart();
  // A browser without a session gets one with its first change. Requests that
  // set out before that would each get their own, so one goes ahead.
  await addOne();
  await Promise.allSettled(Array.from({ length: 49 }, addOne));
  const after = await currentCart();
  document.querySelector("#cart").replaceWith(after);
  return after.dataset.count - before.dataset.count;
}

button.addEventListener("click", async () => {
  button.disabled = true;
  arrived.textContent = "Sending…";
  try {
    arrived.textContent = `${await addFifty()} of 50 arrived`;
  } catch {
    arrived.textContent = "The shop can't be reached";
  }
  button.disabled = false;
});
button.hidden = false;
