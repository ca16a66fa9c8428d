export * from "./app.6620276923.js";
