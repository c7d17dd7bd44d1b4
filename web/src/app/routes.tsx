import { createBrowserRouter, type RouteObject } from 'react-router'
import { NotFoundPage } from '../pages/NotFoundPage'
import { PageError } from '../ui/PageError'
import { pages, type PageOf } from './pages'
import { Root } from './Root'

const none = { Component: () => null }

function routeOf([path, page]: [string, PageOf]): RouteObject {
  if (!path) return { index: true, lazy: page.load }
  return { path, lazy: page.load, children: page.drawer ? [{ path: ':row', ...none }, { path: ':row/:tab', ...none }] : undefined }
}

export const router = createBrowserRouter([
  {
    Component: Root,
    ErrorBoundary: PageError,
    HydrateFallback: () => null,
    children: [
      {
        ErrorBoundary: PageError,
        children: [
          ...Object.entries(pages).map(routeOf),
          { path: '*', Component: NotFoundPage },
        ],
      },
    ],
  },
])
