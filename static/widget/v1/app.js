export * from "./app.59ac67b3b9.js";
