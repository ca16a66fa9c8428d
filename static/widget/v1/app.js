export * from "./app.a983156ccf.js";
