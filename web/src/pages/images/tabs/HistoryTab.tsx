import { useQuery } from '@tanstack/react-query'
import { useLocation } from 'react-router'
import { getBuildHistory, type BuildHistory } from '../../../api/images'
import { t } from '../../../i18n'
import { bytes, number, short } from '../../../lib/format'
import { Copyable, SeveritySplit, Time, totalOf } from '../../../ui/bits'
import { Empty } from '../../../ui/Empty'
import { ErrorNote } from '../../../ui/ErrorNote'
import { detailOf } from '../columns'
import type { TabProps } from '../ImageDrawer'

type Step = NonNullable<BuildHistory['steps']>[number]

/** HistoryTab is how the image was built, oldest step first, with what each layer brought. */
export default function HistoryTab({ row }: TabProps) {
  const history = useQuery({ queryKey: ['content', row.imageID, 'history'], queryFn: () => getBuildHistory(row.imageID ?? '') })
  if (history.error) return <ErrorNote error={history.error} retry={() => void history.refetch()} />
  const steps = history.data?.steps ?? []
  if (history.data && steps.length === 0) return <Empty title={t('history.none')} help={t('history.noneHelp')} />
  const config = history.data?.config
  return (
    <ol className="steps">
      {steps.map((step, i) => <One key={i} step={step} row={row} />)}
      {config && totalOf(config.secrets) > 0 && (
        <li><div className="step-mark">⚙</div><div className="grow"><p className="muted">{t('history.config')}</p><span className="row"><span className="muted">{t('category.secret')}</span><SeveritySplit counts={config.secrets} /></span></div></li>
      )}
    </ol>
  )
}

function One({ step, row }: { step: Step; row: TabProps['row'] }) {
  const { search } = useLocation()
  const f = step.findings
  const to = (tab: string) => (severity: string) => {
    const params = new URLSearchParams(search)
    params.set('in.severity', severity)
    return detailOf(row, tab, params.toString())
  }
  return (
    <li className={step.empty ? 'empty-step' : ''}>
      <div className="step-mark">{step.layer === undefined || step.layer === null ? '' : `L${step.layer}`}</div>
      <div className="grow">
        <pre className="code">{instruction(step.createdBy) || step.comment || t('history.unknown')}</pre>
        <div className="row wrap muted" style={{ gap: 14, marginTop: 4 }}>
          <Time value={step.created} />
          {!step.empty && <span className="num">{bytes(step.size)}</span>}
          {step.diffID && <Copyable text={step.diffID} shown={short(step.diffID)} />}
          {f && f.packages > 0 && <span>{t('history.packages', { count: f.packages, n: number(f.packages) })}</span>}
          {f && totalOf(f.vulnerabilities) > 0 && <span className="row" style={{ gap: 6 }}>{t('category.vulnerability')}<SeveritySplit counts={f.vulnerabilities} to={to('vulnerabilities')} /></span>}
          {f && totalOf(f.malware) > 0 && <span className="row" style={{ gap: 6 }}>{t('category.malware')}<span className="tag critical">{totalOf(f.malware)}</span></span>}
          {f && totalOf(f.secrets) > 0 && <span className="row" style={{ gap: 6 }}>{t('category.secret')}<SeveritySplit counts={f.secrets} to={to('secrets')} /></span>}
        </div>
      </div>
    </li>
  )
}

/** instruction as it stood in the Dockerfile, without what the builder put around it. */
function instruction(createdBy: string | undefined): string {
  return (createdBy ?? '').replace(/^\/bin\/sh -c #\(nop\)\s+/, '').replace(/^\/bin\/sh -c /, 'RUN ').replace(/ # buildkit$/, '').trim()
}
