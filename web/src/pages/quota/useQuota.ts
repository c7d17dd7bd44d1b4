import { useQuery } from '@tanstack/react-query'
import { getQuota, type Quota } from '../../api/quota'

/** useQuota is how many units there are; undefined until that is known. */
export function useQuota(): Quota | undefined {
  return useQuery({ queryKey: ['quota', 'state'], queryFn: getQuota, staleTime: 60_000 }).data
}
