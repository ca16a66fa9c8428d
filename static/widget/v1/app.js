export * from "./app.436fd55875.js";
