// The parts of the chart library that the console uses; loaded when a chart is on
// the screen.
import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use as register } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

register([LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer])

export { init }
