export * from "./app.a09f0ef744.js";
