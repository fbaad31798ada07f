// Puts the secret that came behind the # into its field, and out of the address. Without this file it is pasted by hand.
"use strict";

const field = document.querySelector("input[data-from-address]");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
