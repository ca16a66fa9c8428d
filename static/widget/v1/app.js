export * from "./app.3862160cc1.js";
