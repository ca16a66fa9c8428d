export * from "./app.05c86e8994.js";
