export * from "./app.beecddb8ff.js";
