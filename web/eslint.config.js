import hooks from 'eslint-plugin-react-hooks'
import ts from 'typescript-eslint'

const client = 'ask the API through src/api: its client is generated from what the service says of itself'

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.ts'] },
  ...ts.configs.recommended,
  hooks.configs.flat['recommended-latest'],
  {
    files: ['src/**/*.{ts,tsx}'],
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // Each component has its own import, so that a page loads what it uses.
      'no-restricted-imports': ['error', { paths: [
        { name: '@ant-design/icons', message: 'import the one icon: @ant-design/icons/NameOutlined' },
        { name: 'echarts', message: 'import from echarts/core in src/ui/chart.ts' },
      ] }],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/api/**'],
    rules: {
      'no-restricted-globals': ['error',
        { name: 'fetch', message: client }, { name: 'XMLHttpRequest', message: client },
        { name: 'EventSource', message: client }, { name: 'WebSocket', message: client }],
      'no-restricted-properties': ['error',
        { object: 'window', property: 'fetch', message: client }, { object: 'globalThis', property: 'fetch', message: client },
        { object: 'navigator', property: 'sendBeacon', message: client }],
    },
  },
)
