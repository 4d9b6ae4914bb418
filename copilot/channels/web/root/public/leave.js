// On the sign-in page of somebody who has just signed out: the tab where that was begun goes on to the provider.

import { signedOutHere } from "./signing-out.js";

if (signedOutHere()) location.replace(document.getElementById("leave").href);
