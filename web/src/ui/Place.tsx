import type { Schema } from '../api/client'
import { t } from '../i18n'
import { Fact } from './bits'

interface Props {
  path?: string
  line?: number
  origin?: Schema<'Origin'>
}

/** Place is where in an image something is: the file, the layer, and the build instruction that made the layer. */
export function Place({ path, line, origin }: Props) {
  return (
    <dl className="facts">
      {path && <Fact label={t('place.path')}><span className="mono">{path.split('!/').map((part, i) => <span key={i}>{i > 0 && <strong title={t('place.nested')}> ▸ </strong>}{part}</span>)}{line ? `:${line}` : ''}</span></Fact>}
      {origin && <Fact label={t('place.layer')}>{origin.layer < 0 ? t('place.config') : `L${origin.layer}`}{origin.deletedBy !== undefined && <span className="tag warn" style={{ marginLeft: 6 }}>{t('place.deleted', { layer: origin.deletedBy })}</span>}</Fact>}
      {origin?.instruction && <Fact label={t('place.instruction')}><pre className="code">{origin.instruction}</pre></Fact>}
    </dl>
  )
}
