import { useEffect, useRef } from 'react'
import type { Day } from '../../api/overview'
import { t, tx } from '../../i18n'
import { number } from '../../lib/format'
import { totalOf } from '../../ui/bits'
import { init } from '../../ui/chart'

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Trend shows how the estate stood at the end of each day. The table below it says the same to those who cannot see it. */
export default function Trend({ days, newest, dark }: { days: Day[]; newest: boolean; dark: boolean }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!place.current) return
    const chart = init(place.current, undefined, { renderer: 'svg' })
    const of = (d: Day) => (newest ? d.newest : d.counters)
    const series: { name: string; tint: string; data: number[] }[] = [
      { name: tx('severity', 'critical'), tint: 'critical', data: days.map((d) => of(d).vulnerabilities.critical) },
      { name: tx('severity', 'high'), tint: 'high', data: days.map((d) => of(d).vulnerabilities.high) },
      { name: tx('category', 'malware'), tint: 'unknown', data: days.map((d) => totalOf(of(d).malware)) },
      { name: tx('category', 'secret'), tint: 'low', data: days.map((d) => totalOf(of(d).secrets)) },
    ]
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 44, right: 12, top: 32, bottom: 24 },
      legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 8, icon: 'roundRect', textStyle: { color: colour('text-2'), fontSize: 12 } },
      tooltip: { trigger: 'axis', backgroundColor: colour('surface'), borderColor: colour('border-strong'), textStyle: { color: colour('text'), fontSize: 12 } },
      xAxis: { type: 'category', data: days.map((d) => d.date.slice(5)), boundaryGap: false, axisLine: { lineStyle: { color: colour('border-strong') } }, axisLabel: { color: colour('text-2') } },
      yAxis: { type: 'value', minInterval: 1, splitLine: { lineStyle: { color: colour('border') } }, axisLabel: { color: colour('text-2') } },
      series: series.map((s) => ({ type: 'line', name: s.name, data: s.data, showSymbol: days.length < 3, symbolSize: 6, lineStyle: { width: 2, color: colour(s.tint) }, itemStyle: { color: colour(s.tint) } })),
    })
    const watch = new ResizeObserver(() => chart.resize())
    watch.observe(place.current)
    return () => {
      watch.disconnect()
      chart.dispose()
    }
  }, [days, newest, dark])

  return (
    <>
      <div ref={place} style={{ height: 220 }} aria-hidden />
      <table className="visually-hidden">
        <caption>{t('overview.trend')}</caption>
        <tbody>
          {days.map((d) => (
            <tr key={d.date}><th scope="row">{d.date}</th><td>{number(totalOf(d.counters.vulnerabilities))}</td><td>{number(totalOf(d.counters.malware))}</td><td>{number(totalOf(d.counters.secrets))}</td></tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
