import { useEffect, useRef } from 'react'
import Table, { type TableProps } from 'antd/es/table'

const page = 20

/** SmallTable shows rows that are all at hand; what is asked for page by page is an AssetTable. On a narrow screen it scrolls sideways, by keyboard as well. */
export function SmallTable<R extends object>(props: TableProps<R>) {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // What scrolls is inside of antd's table, which lets nobody name its attributes.
    frame.current?.querySelectorAll('.ant-table-content, .ant-table-body').forEach((e) => e.setAttribute('tabindex', '0'))
  })
  const many = (props.dataSource?.length ?? 0) > page
  return <div ref={frame}><Table<R> size="small" pagination={many ? { pageSize: page, size: 'small' } : false} {...props} /></div>
}
