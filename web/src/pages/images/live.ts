import { useCallback, useState } from 'react'
import type { AssetRow } from '../../api/images'
import { useEvents } from '../../app/live'

type Told = Pick<AssetRow, 'status' | 'progress' | 'scanError'> & { id: number }

/**
 * useLiveScans shows the progress of scans as it is told, before the list has been
 * asked for again. Once a scan has ended, the list knows better.
 */
export function useLiveScans(): (row: AssetRow) => AssetRow {
  const [told, setTold] = useState<Record<string, Told>>({})
  useEvents((type, data) => {
    if (type === 'reset') setTold({})
    if (type !== 'scan' || typeof data.imageID !== 'string') return
    const image = data.imageID
    setTold((before) => {
      const next = { ...before }
      if (data.status === 'scanning') next[image] = { id: data.id as number, status: 'scanning', progress: data.progress as Told['progress'], scanError: data.error as Told['scanError'] }
      else delete next[image]
      return next
    })
  })
  return useCallback(
    (row) => {
      const news = row.imageID ? told[row.imageID] : undefined
      return news ? { ...row, ...news, id: row.id, scanID: news.id } : row
    },
    [told],
  )
}
