import Button from 'antd/es/button'
import { useRouteError } from 'react-router'
import { t } from '../i18n'

/** PageError stands where a page failed. A script that is gone means that the service was updated under an open page. */
export function PageError() {
  const error = useRouteError()
  const outdated = error instanceof Error && /dynamically imported module|Importing a module script|Failed to fetch/i.test(error.message)
  return (
    <div className="note bad" role="alert" style={{ margin: 16 }}>
      <div className="grow">
        <p><strong>{outdated ? t('error.outdated') : t('error.page')}</strong></p>
        <p>{outdated ? t('error.outdatedRemedy') : t('error.pageRemedy')}</p>
        {!outdated && error instanceof Error && <p className="muted mono">{error.message}</p>}
      </div>
      <Button onClick={() => window.location.reload()}>{t('common.reload')}</Button>
    </div>
  )
}
