import { AnswerCard } from "./answer-card.js";
import { installElements } from "./elements.js";
import { labelButtons } from "./labels.js";

installElements({ AnswerCard });
labelButtons();
