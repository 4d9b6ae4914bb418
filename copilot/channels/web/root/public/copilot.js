import { AnswerCard } from "./answer-card.js";
import { copyAsText } from "./copy.js";
import { installElements } from "./elements.js";
import { labelButtons } from "./labels.js";
import { watchSigningOut } from "./signing-out.js";
import { tellState } from "./state.js";

installElements({ AnswerCard });
labelButtons();
copyAsText();
tellState();
watchSigningOut();
