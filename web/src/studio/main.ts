import "./studio.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { startTheme } from "./theme.svelte";

startTheme();
const target = document.getElementById("studio");
if (!target) throw new Error("the page has no place for the studio");
mount(App, { target });
