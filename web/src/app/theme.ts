// One palette for the component library and for our own styles (theme.css has the
// same names as custom properties). Text and what carries meaning keeps a contrast
// of 4.5 to 1 to its ground, in both modes.
import type { ThemeConfig } from 'antd'
import antdTheme from 'antd/es/theme'

const font =
  "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', 'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"

export function themeOf(dark: boolean): ThemeConfig {
  return {
    zeroRuntime: true,
    algorithm: dark ? antdTheme.darkAlgorithm : antdTheme.defaultAlgorithm,
    token: {
      colorPrimary: dark ? '#4aa3cf' : '#0b6490',
      colorInfo: dark ? '#4aa3cf' : '#0b6490',
      colorLink: dark ? '#6db9e0' : '#0b6490',
      colorError: dark ? '#f0747c' : '#b3202c',
      colorSuccess: dark ? '#58b583' : '#1c7a4a',
      colorWarning: dark ? '#dba53f' : '#8f5e00',
      colorBgLayout: dark ? '#101418' : '#f4f6f8',
      colorBgContainer: dark ? '#171c22' : '#ffffff',
      colorBgElevated: dark ? '#1e252d' : '#ffffff',
      colorBorder: dark ? '#39434e' : '#cbd3db',
      colorBorderSecondary: dark ? '#262e37' : '#e4e8ed',
      colorText: dark ? '#e2e7ec' : '#1d2733',
      colorTextSecondary: dark ? '#a3aeba' : '#556270',
      colorTextTertiary: dark ? '#8c98a5' : '#66727f',
      colorTextPlaceholder: dark ? '#8c98a5' : '#6b7783',
      colorTextDescription: dark ? '#a3aeba' : '#556270',
      borderRadius: 4,
      borderRadiusLG: 6,
      fontFamily: font,
      fontSize: 13,
      controlHeight: 30,
      motionDurationMid: '0.1s',
      motionDurationSlow: '0.15s',
      wireframe: false,
    },
    components: {
      // White on the light blue of the dark mode would be too faint.
      Button: dark ? { primaryColor: '#08131b' } : {},
      // The edge of what can be ticked is all that shows it: 3 to 1 to its ground.
      Checkbox: { colorBorder: dark ? '#74808d' : '#87929e' },
      Radio: { colorBorder: dark ? '#74808d' : '#87929e' },
      Drawer: { padding: 16, paddingLG: 20 },
      Modal: { titleFontSize: 15 },
      Tabs: { horizontalMargin: '0 0 12px 0', titleFontSize: 13 },
    },
  }
}

/** Severities from the worst on; the order in which they are shown everywhere. */
export const severities = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const
export type Severity = (typeof severities)[number]
