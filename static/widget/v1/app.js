export * from "./app.26a5d6b8ec.js";
