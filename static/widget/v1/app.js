export * from "./app.2e7138a27d.js";
