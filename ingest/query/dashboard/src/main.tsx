import "@fontsource-variable/inter/wght.css";
import "./mantine.css";
import "uplot/dist/uPlot.min.css";
import "./palette.css";
import "./page.css";
import "./quality.css";
import "./compare.css";
import "./heatmap.css";
import "./sessions.css";
import "./moments.css";
import "./settings.css";
import "./overview.css";
import "./alerts.css";
import "./histogram.css";
import { MantineProvider } from "@mantine/core";
import { createRoot } from "react-dom/client";
import { Page } from "./Page.tsx";
import { theme } from "./theme.ts";
import { takeTokenFromAddress } from "./token.ts";

takeTokenFromAddress();
window.addEventListener("hashchange", takeTokenFromAddress);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <MantineProvider theme={theme} defaultColorScheme="auto">
    <Page />
  </MantineProvider>,
);
