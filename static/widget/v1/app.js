export * from "./app.de2aea198e.js";
