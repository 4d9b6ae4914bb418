// Chainlit fetches this and makes code of it; elements.js puts the compiled card in its place.
export default "compiled element: AnswerCard";
