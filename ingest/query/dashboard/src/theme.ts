/** Type and colours. Figures' colours are in `palette.css`, safe for the common kinds of colour blindness. */

import { createTheme } from "@mantine/core";

export const theme = createTheme({
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  primaryColor: "ocean",
  primaryShade: { light: 6, dark: 4 },
  defaultRadius: "md",
  colors: {
    // Mantine's dark greys are neutral; these are of the palette's blue.
    dark: ["#e6ebf1", "#c3ccd6", "#97a4b3", "#6f7d8d", "#28323f", "#222c38", "#1b242f", "#171e27", "#0f141b", "#0a0e13"],
    ocean: [
      "#eaf4fc", "#d3e6f7", "#a6cdef", "#75b1e6", "#56a3e3", "#2d83cf", "#0b63b0", "#085495", "#06457b", "#043560",
    ],
  },
  focusRing: "auto",
});
